/** Opens a device, gives it work, and ends in the way named on the command line. Prints "ready" when it comes to it. */
import { exitNow } from "../../../src/gpu/libc.node.js";
import { GPU_COPY_DST, GPU_COPY_SRC, GPU_MAP_MODE_READ, GPU_MAP_READ, GPU_STORAGE } from "../../../src/gpu/memory.js";
import { openDevice } from "../../../src/gpu/open_device.node.js";

const opened = await openDevice();
const { device } = opened;

const SIZE = 65536 * 4;
const storage = device.createBuffer({ size: SIZE, usage: GPU_STORAGE | GPU_COPY_SRC });
const staging = device.createBuffer({ size: SIZE, usage: GPU_MAP_READ | GPU_COPY_DST });

function compile(salt: number, statements: number): Promise<GPUComputePipeline> {
  const code = `
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var s = f32(id.x) + ${salt}.0;
      for (var i = 0u; i < 100000u; i++) { s = fract(s * 1.1 + 0.3); }
      ${"s = sin(s);".repeat(statements)}
      y[id.x] = s;
    }`;
  const module = device.createShaderModule({ code });
  return device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
}

/** About a tenth of a millisecond a workgroup on one core; 1024 of them outlast every patience. */
async function compute(workgroups: number): Promise<void> {
  const pipeline = await compile(0, 1);
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: storage } }],
  });
  const encoder = device.createCommandEncoder();
  for (let i = 0; i < 50; i++) {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
    if (workgroups === 1) break;
  }
  encoder.copyBufferToBuffer(storage, 0, staging, 0, SIZE);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPU_MAP_MODE_READ);
}

function startLongWork(): void {
  void compute(1024).catch(() => undefined);
}

const ready = (): void => console.log("ready");
const soon = (run: () => void): void => void setTimeout(run, 100);

const endings: Record<string, () => unknown> = {
  "close after work": async () => {
    await compute(1);
    await opened.close();
    await opened.close();
    ready();
  },
  "close at once": async () => {
    await opened.close();
    ready();
  },
  "never close": async () => {
    await compute(1);
    ready();
  },
  "throw after work": async () => {
    await compute(1);
    ready();
    throw new Error("on purpose");
  },
  "throw during work": () => {
    startLongWork();
    soon(() => {
      ready();
      throw new Error("on purpose");
    });
  },
  "exit during work": () => {
    startLongWork();
    soon(() => {
      ready();
      exitNow(3);
    });
  },
  "exit while closing": () => {
    startLongWork();
    soon(() => {
      void opened.close();
      ready();
      exitNow(3);
    });
  },
  "exit while compiling": () => {
    for (let i = 0; i < 50; i++) void compile(i, 50).catch(() => undefined);
    setTimeout(() => {
      ready();
      exitNow(3);
    }, 3);
  },
  "wait for a signal, with a handler": () => {
    process.once("SIGINT", () => exitNow(130));
    process.once("SIGTERM", () => exitNow(143));
    startLongWork();
    soon(ready);
  },
  "wait for a signal": () => {
    startLongWork();
    soon(ready);
  },
};

const ending = endings[process.argv[2] ?? ""];
if (!ending) throw new Error(`no such ending: ${process.argv[2]}`);
await ending();
