/**
 * Window sums over an image of many channels, row by row: memory for a few rows, whatever the height. Sums slide in
 * float64, where adding and taking away leaves no error worth naming.
 */

/** Fills `row` with the values of row y, [width, channels] interleaved. */
export type RowReader = (y: number, row: Float64Array) => void;

/**
 * For every row, in order, hands `visit` the sums over the (2 radius + 1)^2 window round each pixel, cut at the borders.
 * `read` is called twice a row: when it enters the window and when it leaves.
 */
export function boxSums(
  { width, height, channels, radius }: { width: number; height: number; channels: number; radius: number },
  read: RowReader,
  visit: (y: number, sums: Float64Array) => void,
): void {
  const row = new Float64Array(width * channels);
  const columns = new Float64Array(width * channels); // sums down each column of the window
  const sums = new Float64Array(width * channels);
  const running = new Float64Array(channels);
  const add = (y: number, sign: number): void => {
    if (y < 0 || y >= height) return;
    read(y, row);
    for (let i = 0; i < row.length; i++) columns[i] = (columns[i] as number) + sign * (row[i] as number);
  };
  for (let y = 0; y < radius; y++) add(y, 1);
  for (let y = 0; y < height; y++) {
    add(y + radius, 1);
    add(y - radius - 1, -1);
    running.fill(0);
    for (let x = -radius; x < width; x++) {
      const enters = (x + radius) * channels;
      const leaves = (x - radius - 1) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = running[c] as number;
        if (enters < columns.length) sum += columns[enters + c] as number;
        if (leaves >= 0) sum -= columns[leaves + c] as number;
        running[c] = sum;
        if (x >= 0) sums[x * channels + c] = sum;
      }
    }
    visit(y, sums);
  }
}
