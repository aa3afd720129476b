// Drives the emulator with @google/genai as any JavaScript program would. Needs GEMINI_BASE_URL and a scratch folder.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GoogleGenAI } from "@google/genai";
import { check, report, same, until } from "./checks.mjs";

const IMAGES = "gemini-nano-banana-2.1";
const TEXT = "gemini-3.8-flash";
const folder = process.argv[2];
const client = new GoogleGenAI({
  apiKey: "node-key",
  httpOptions: { baseUrl: process.env.GEMINI_BASE_URL, apiVersion: "v1beta" },
});
const picture = { responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "1:1", imageSize: "1K" } };
const contents = [{ role: "user", parts: [{ text: "a harbour at dawn" }] }];
const ended = (job) => /SUCCEEDED|FAILED|CANCELLED|EXPIRED/.test(job.state);
const end = (job) => until(() => client.batches.get({ name: job.name }), ended);
const mimeTypes = (response) => response.candidates[0].content.parts.map((part) => part.inlineData?.mimeType);
let uploaded;
let job;

await check("files.upload", async () => {
  const input = join(folder, "requests.jsonl");
  const request = {
    contents,
    generation_config: { response_modalities: ["IMAGE"], image_config: { aspect_ratio: "1:1", image_size: "1K" } },
  };
  await writeFile(input, ["a", "b"].map((key) => JSON.stringify({ key, request })).join("\n"));
  uploaded = await client.files.upload({
    file: input,
    config: { mimeType: "application/jsonl", displayName: "node-input" },
  });
  same("ACTIVE", uploaded.state);
});
await check("files.get", async () => same("node-input", (await client.files.get({ name: uploaded.name })).displayName));
await check("batches.create from a file", async () => {
  job = await client.batches.create({ model: IMAGES, src: uploaded.name, config: { displayName: "node-job" } });
  same("JOB_STATE_PENDING", job.state);
});
await check("batches.get to the end", async () => {
  job = await end(job);
  same("JOB_STATE_SUCCEEDED", job.state);
});
await check("files.download", async () => {
  const output = join(folder, "responses.jsonl");
  await client.files.download({ file: job.dest.fileName, downloadPath: output });
  const text = await until(
    () => readFile(output, "utf8").catch(() => ""), // the client may return before the file is closed
    (found) => found.trim().split("\n").length === 2 && found.endsWith("\n"),
  );
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  same(["a", "b"], lines.map((line) => line.key).sort());
  same(["image/jpeg"], mimeTypes(lines[0].response));
});
await check("batches.create with inlined requests", async () => {
  const inlined = await end(
    await client.batches.create({
      model: IMAGES,
      src: [{ contents, config: picture, metadata: { key: "inlined" } }],
      config: { displayName: "node-inline" },
    }),
  );
  same(["image/jpeg"], mimeTypes(inlined.dest.inlinedResponses[0].response));
});
await check("batches.createEmbeddings", async () => {
  const embedded = await end(
    await client.batches.createEmbeddings({
      model: "gemini-embedding-001",
      src: { inlinedRequests: { contents: ["one", "two"], config: { outputDimensionality: 4 } } },
      config: { displayName: "node-embeddings" },
    }),
  );
  same("JOB_STATE_SUCCEEDED", embedded.state);
});
await check("batches.cancel", async () => {
  const cancelled = await client.batches.create({
    model: TEXT,
    src: [{ contents }],
    config: { displayName: "node-cancelled" },
  });
  await client.batches.cancel({ name: cancelled.name });
  same("JOB_STATE_CANCELLED", (await end(cancelled)).state);
});
await check("batches.list", async () => {
  const listed = [];
  for await (const item of await client.batches.list({ config: { pageSize: 2 } })) listed.push(item.displayName);
  same(["node-cancelled", "node-embeddings", "node-inline", "node-job"], listed);
});
await check("models.generateContent, a picture from a picture", async () => {
  const first = await client.models.generateContent({ model: IMAGES, contents, config: picture });
  const data = first.candidates[0].content.parts.find((part) => part.inlineData).inlineData;
  const second = await client.models.generateContent({
    model: IMAGES,
    contents: [{ role: "user", parts: [{ inlineData: data }, { text: "the same at night" }] }],
    config: picture,
  });
  same(["image/jpeg"], mimeTypes(second));
});
await check("models.generateContent with a schema", async () => {
  const reply = await client.models.generateContent({
    model: TEXT,
    contents: "a colour",
    config: {
      responseMimeType: "application/json",
      responseSchema: { type: "OBJECT", properties: { colour: { type: "STRING" } }, required: ["colour"] },
    },
  });
  same(["colour"], Object.keys(JSON.parse(reply.text)));
});
await check("models.countTokens", async () => (await client.models.countTokens({ model: TEXT, contents })).totalTokens > 0);
await check("models.embedContent", async () => {
  const reply = await client.models.embedContent({ model: "gemini-embedding-001", contents: ["one"] });
  same(3072, reply.embeddings[0].values.length);
});
await check("models.get", async () => same(`models/${IMAGES}`, (await client.models.get({ model: IMAGES })).name));
await check("an unknown model", async () => {
  const status = await client.models.generateContent({ model: "nobody", contents }).catch((error) => error.status);
  same(404, status);
});
await check("batches.delete and files.delete", async () => {
  await client.batches.delete({ name: job.name });
  await client.files.delete({ name: uploaded.name });
  const left = [];
  for await (const item of await client.files.list()) left.push(item.name);
  same([], left);
});
report();
