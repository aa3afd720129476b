// Drives the emulator with the AI SDK's Google provider: text, objects, pictures, embeddings, files and batches.
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import {
  embedMany,
  experimental_cancelBatch as cancelBatch,
  experimental_getBatchResults as getBatchResults,
  experimental_getBatchStatus as getBatchStatus,
  experimental_listBatches as listBatches,
  experimental_startBatch as startBatch,
  generateImage,
  generateObject,
  generateText,
  jsonSchema,
  uploadFile,
} from "ai";
import { check, report, same, until } from "./checks.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const IMAGES = "gemini-nano-banana-2.1";
const TEXT = "gemini-3.8-flash";
const google = createGoogleGenerativeAI({ apiKey: "ai-sdk-key", baseURL: `${process.env.GEMINI_BASE_URL}/v1beta` });
const text = (id, prompt) => ({ id, type: "text", model: TEXT, prompt });
let drawn;

async function results(requests) {
  const batch = await startBatch({ provider: google, requests });
  await until(() => getBatchStatus({ provider: google, batch }), (found) => found.status === "completed");
  const items = {};
  for await (const item of getBatchResults({ provider: google, batch })) items[item.id] = item;
  return items;
}

await check("generateText", async () => {
  const reply = await generateText({ model: google(TEXT), prompt: "say hello", maxRetries: 0 });
  return reply.text.length > 0 && reply.usage.totalTokens > 0;
});
await check("generateObject", async () => {
  const schema = jsonSchema({ type: "object", properties: { colour: { type: "string" } }, required: ["colour"] });
  const reply = await generateObject({ model: google(TEXT), prompt: "a colour", schema, maxRetries: 0 });
  same(["colour"], Object.keys(reply.object));
});
await check("generateImage", async () => {
  const reply = await generateImage({ model: google.image(IMAGES), prompt: "a lamp", aspectRatio: "16:9", maxRetries: 0 });
  drawn = reply.image;
  same("image/jpeg", drawn.mediaType);
});
await check("generateText about a picture", async () => {
  const content = [
    { type: "text", text: "describe it" },
    { type: "file", data: drawn.uint8Array, mediaType: "image/jpeg" },
  ];
  const reply = await generateText({ model: google(TEXT), messages: [{ role: "user", content }], maxRetries: 0 });
  return reply.text.length > 0;
});
await check("embedMany", async () => {
  const reply = await embedMany({ model: google.embedding("gemini-embedding-001"), values: ["one", "two"] });
  same([3072, 3072], reply.embeddings.map((vector) => vector.length));
});
await check("uploadFile", async () => {
  const file = await uploadFile({ api: google.files(), data: drawn.uint8Array, mediaType: "image/jpeg" });
  return JSON.stringify(file).includes("files/");
});
await check("batch of inlined text and pictures", async () => {
  const words = await results([text("one", "say one"), text("two", "say two")]);
  same(["succeeded", "succeeded"], [words.one.status, words.two.status]);
  const pictures = await results([{ id: "lamp", type: "image", model: IMAGES, prompt: "a lamp", aspectRatio: "16:9" }]);
  same(["succeeded", "image/jpeg"], [pictures.lamp.status, pictures.lamp.images[0].mediaType]);
});
await check("batch by file, beyond what is sent inline", async () => {
  const long = "x".repeat(7 * 1024 * 1024);
  const words = await results(["a", "b", "c"].map((id) => text(id, `${id} ${long}`)));
  same(["succeeded", "succeeded", "succeeded"], ["a", "b", "c"].map((id) => words[id].status));
});
await check("cancelBatch and listBatches", async () => {
  const batch = await startBatch({ provider: google, requests: [text("one", "say one")] });
  await cancelBatch({ provider: google, batch });
  await until(() => getBatchStatus({ provider: google, batch }), (found) => found.status !== "pending");
  const listed = await listBatches({ provider: google });
  return JSON.stringify(listed).includes(batch.id);
});
await check("a wrong key", async () => {
  const wrong = createGoogleGenerativeAI({ apiKey: "invalid", baseURL: `${process.env.GEMINI_BASE_URL}/v1beta` });
  const status = await generateText({ model: wrong(TEXT), prompt: "hello", maxRetries: 0 }).catch((error) => error.statusCode);
  same(400, status);
});
report();
