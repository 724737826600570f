// Swaps the last two axes: repacks weights whose consumer wants the other channel contiguous, and its taps perhaps in
// reverse. One thread an element.
// use lib/index
override ROWS: u32;
override COLUMNS: u32;
override REVERSE: bool = false;   // of the batches
override SIZE: u32;       // batches * ROWS * COLUMNS

alias T = f32;   // specialised: elements as they are stored

@group(0) @binding(0) var<storage, read> x: array<T>;           // [batches, ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read_write> y: array<T>;     // [batches, COLUMNS, ROWS]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let row = i % ROWS;
  let column = (i / ROWS) % COLUMNS;
  let batch = i / (ROWS * COLUMNS);
  let source = select(batch, SIZE / (ROWS * COLUMNS) - 1u - batch, REVERSE);
  y[i] = x[(source * ROWS + row) * COLUMNS + column];
}
