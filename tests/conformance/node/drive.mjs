// Drives the emulator with @google/genai as any JavaScript program would: upload, create, wait, download, clean up.
// Prints one JSON object; exits non-zero when a step fails. Needs GEMINI_BASE_URL and a scratch folder as argument.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GoogleGenAI } from "@google/genai";

const folder = process.argv[2];
const client = new GoogleGenAI({
  apiKey: "node-key",
  httpOptions: { baseUrl: process.env.GEMINI_BASE_URL, apiVersion: "v1beta" },
});

const request = {
  contents: [{ parts: [{ text: "a harbour at dawn" }] }],
  generation_config: {
    response_modalities: ["IMAGE"],
    image_config: { aspect_ratio: "1:1", image_size: "1K" },
  },
};
const keys = ["first", "second"];
const input = join(folder, "requests.jsonl");
await writeFile(input, keys.map((key) => JSON.stringify({ key, request })).join("\n") + "\n");

const uploaded = await client.files.upload({
  file: input,
  config: { mimeType: "application/jsonl", displayName: "node-input" },
});
let job = await client.batches.create({
  model: "gemini-nano-banana-2.1",
  src: uploaded.name,
  config: { displayName: "node-job" },
});
const states = [job.state];
while (!["JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"].includes(job.state)) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  job = await client.batches.get({ name: job.name });
  states.push(job.state);
}

const output = join(folder, "responses.jsonl");
await client.files.download({ file: job.dest.fileName, downloadPath: output });
let text = "";
for (let wait = 0; wait < 200 && text.split("\n").length <= keys.length; wait += 1) {
  await new Promise((resolve) => setTimeout(resolve, 50)); // the client may return before the file is closed
  text = await readFile(output, "utf8").catch(() => "");
}
const lines = text.trim().split("\n").map((line) => JSON.parse(line));

const listed = [];
for await (const item of await client.batches.list()) listed.push(item.displayName);
const reply = await client.models.generateContent({ model: "gemini-3.8-flash", contents: "say hello" });
await client.batches.delete({ name: job.name });
await client.files.delete({ name: uploaded.name });
const left = [];
for await (const item of await client.files.list()) left.push(item.name);

console.log(
  JSON.stringify({
    last: states.at(-1),
    keys: lines.map((line) => line.key).sort(),
    mimeTypes: [...new Set(lines.map((line) => line.response.candidates[0].content.parts[0].inlineData.mimeType))],
    listed,
    spoke: reply.text.length > 0,
    left,
  }),
);
