/** Pictures between files, pixels and canvases. */
import { InputError } from "../src/index.js";

/** WebGPU wants rows of a multiple of this many bytes. */
const ROW_ALIGNMENT = 256;

/** @throws InputError for a file that the browser cannot show */
export async function openPicture(file: File): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { premultiplyAlpha: "none" });
  } catch (cause) {
    throw new InputError(`${file.name}: this browser cannot read it as a picture`, { cause });
  }
}

/**
 * The pixels as they are in the file. Through the GPU rather than a 2D canvas, which loses the colour of transparent
 * pixels: where the alpha is the mask, that is the whole background.
 */
export async function readPixels(device: GPUDevice, bitmap: ImageBitmap, name: string): Promise<ImageData> {
  const { width, height } = bitmap;
  const most = device.limits.maxTextureDimension2D;
  if (Math.max(width, height) > most) {
    throw new InputError(`${name} is ${width} x ${height}: this page takes pictures up to ${most} pixels a side`);
  }
  const bytesPerRow = Math.ceil((4 * width) / ROW_ALIGNMENT) * ROW_ALIGNMENT;
  const texture = device.createTexture({
    size: [width, height],
    format: "rgba8unorm",
    usage: GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
  });
  const buffer = device.createBuffer({
    size: bytesPerRow * height,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  try {
    device.queue.copyExternalImageToTexture({ source: bitmap }, { texture, premultipliedAlpha: false }, [
      width,
      height,
    ]);
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [width, height]);
    device.queue.submit([encoder.finish()]);
    await buffer.mapAsync(GPUMapMode.READ);
    const padded = new Uint8Array(buffer.getMappedRange());
    const pixels = new ImageData(width, height);
    for (let y = 0; y < height; y++) {
      pixels.data.set(padded.subarray(y * bytesPerRow, y * bytesPerRow + 4 * width), 4 * width * y);
    }
    return pixels;
  } finally {
    texture.destroy();
    buffer.destroy();
  }
}

/** The same colours without transparency. */
export function opaque({ width, height, data }: ImageData): ImageData {
  const result = new ImageData(data.slice(), width, height);
  for (let i = 3; i < result.data.length; i += 4) result.data[i] = 255;
  return result;
}

/** `strength` of the way from one picture to the other; what is equal in both stays as it is. */
export function blend(before: ImageData, after: ImageData, strength: number): ImageData {
  const mixed = before.data.map((from, i) => from + strength * ((after.data[i] ?? from) - from));
  return new ImageData(mixed, before.width, before.height);
}

export function draw(canvas: HTMLCanvasElement, picture: ImageData | ImageBitmap): void {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d");
  if (picture instanceof ImageData) context?.putImageData(picture, 0, 0);
  else context?.drawImage(picture, 0, 0);
}

export async function savePng(picture: ImageData, name: string): Promise<void> {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  const address = URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
