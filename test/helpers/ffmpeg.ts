/** ffmpeg's lut3d, as another program's opinion on .cube files. Tests that need it are skipped where it is missing, and say so. */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { decodeImage } from "../../src/image/codec.node.js";
import type { Image } from "../../src/image/image.js";

export const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

if (!hasFfmpeg)
  process.stderr.write(
    "\nSKIPPED: ffmpeg is not installed, so nothing checks that other programs read the LUTs as this one means them. Install ffmpeg to run these tests.\n\n",
  );

/** A picture of the folder through a .cube file of it. */
export async function throughFfmpeg(folder: string, picture: string, cube: string): Promise<Image> {
  const args = ["-v", "error", "-y", "-i", picture, "-vf", `format=rgb24,lut3d=file=${cube}`, "-pix_fmt", "rgb24"];
  execFileSync("ffmpeg", [...args, "through_ffmpeg.png"], { cwd: folder });
  return decodeImage(join(folder, "through_ffmpeg.png"));
}
