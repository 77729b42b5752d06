// Runs ONNX models in onnxruntime-web under Node: a runtime that is none of ours.
//
//   node onnx_runtime.js FOLDER_OF_node_modules JOBS.json
//
// JOBS.json is a list of {model, inputs: {name: {file, dims}}, outputs: {name: file}}: inputs are raw 32-bit floats, outputs
// are written raw, as the type that they have. Prints a line of JSON a job: the types and extents of its outputs.
'use strict';
const fs = require('fs');
const path = require('path');

async function main() {
  const ort = require(path.join(process.argv[2], 'onnxruntime-web'));
  ort.env.wasm.numThreads = 1;  // Node has no workers of browsers
  ort.env.logLevel = 'error';
  for (const job of JSON.parse(fs.readFileSync(process.argv[3], 'utf8'))) {
    const session = await ort.InferenceSession.create(fs.readFileSync(job.model), {executionProviders: ['wasm'],
                                                                                   graphOptimizationLevel: 'disabled'});
    const feeds = {};
    for (const [name, input] of Object.entries(job.inputs)) {
      const raw = fs.readFileSync(input.file);
      const values = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
      feeds[name] = new ort.Tensor('float32', values, input.dims);
    }
    const results = await session.run(feeds);
    const made = {};
    for (const [name, file] of Object.entries(job.outputs)) {
      const result = results[name];
      fs.writeFileSync(file, Buffer.from(result.data.buffer, result.data.byteOffset, result.data.byteLength));
      made[name] = {type: result.type, dims: result.dims};
    }
    console.log(JSON.stringify(made));
    if (session.release) await session.release();
  }
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
