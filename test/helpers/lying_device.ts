/** Devices that do not compute: what they answer instead of results. A self-check that passes on one of them checks nothing. */
export const LIES = ["zeros", "one value everywhere", "what the results' memory held", "the input"] as const;
export type Lie = (typeof LIES)[number];

const MAP_READ = 1;

/** `device`, whose read-backs hold a lie. Validation, compilation and everything else are the real device's. */
export function lyingDevice(device: GPUDevice, lie: Lie): GPUDevice {
  let written = new Uint8Array(4);
  const skips = lie === "what the results' memory held";
  return over(device, {
    queue: over(device.queue, {
      writeBuffer: (buffer: GPUBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>, ...rest: number[]) => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
        if (bytes.length >= 64 && bytes.some((byte) => byte !== 0)) written = bytes;
        device.queue.writeBuffer(buffer, offset, data, ...rest);
      },
      submit: (buffers: GPUCommandBuffer[]) => device.queue.submit(buffers),
    }),
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      const buffer = device.createBuffer(descriptor);
      if (!(descriptor.usage & MAP_READ) || skips) return buffer;
      const read = buffer.getMappedRange.bind(buffer);
      const getMappedRange = (...range: number[]): ArrayBuffer => {
        const bytes = new Uint8Array(read(...range));
        if (lie === "zeros") bytes.fill(0);
        else if (lie === "the input")
          for (let i = 0; i < bytes.length; i++) bytes[i] = written[i % written.length] ?? 0;
        else new Float32Array(bytes.buffer).fill(1);
        return bytes.buffer;
      };
      // The real buffer stays what the device knows; only its reading is another.
      return Object.defineProperty(buffer, "getMappedRange", { value: getMappedRange });
    },
    createCommandEncoder: (descriptor?: GPUCommandEncoderDescriptor) => {
      const encoder = device.createCommandEncoder(descriptor);
      if (!skips) return encoder;
      return over(encoder, {
        beginComputePass: (pass: GPUComputePassDescriptor) =>
          over(encoder.beginComputePass(pass), { dispatchWorkgroups: () => {}, dispatchWorkgroupsIndirect: () => {} }),
        resolveQuerySet: () => {},
      });
    },
  });
}

/** An object with some of its members replaced. Methods run on the object itself, as WebGPU's must. */
function over<T extends object>(target: T, members: Readonly<Record<string, unknown>>): T {
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === "string" && name in members) return members[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
