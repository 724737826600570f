// How many workgroups the passes of a convolution take for the tiles that are needed, for indirect dispatches: of every
// band of tiles its transform of inputs, its products and its transform of outputs. One thread a band.
struct Params {
  tiles: u32,            // in all
  band: u32,             // tiles of a band; the last has fewer
  input_threads: u32,    // a tile
  output_threads: u32,   // a tile
  product_rows: u32,     // tiles a workgroup
  product_y: u32,        // workgroups of a product's columns
  product_z: u32,        // products
}

const THREADS: u32 = 64u;         // of the transforms' workgroups
const MOST_GROUPS: u32 = 65535u;  // a dimension

@group(0) @binding(0) var<storage, read> order: array<f32>;         // [1 + tiles]: how many are needed
@group(0) @binding(1) var<storage, read_write> sizes: array<u32>;   // [bands, 3 passes, 3 dimensions]
@group(0) @binding(2) var<uniform> p: Params;

// As grid1d of src/graph/op.ts.
fn set_threads(at: u32, threads: u32) {
  let groups = (threads + THREADS - 1u) / THREADS;
  let rows = max(1u, (groups + MOST_GROUPS - 1u) / MOST_GROUPS);
  set_groups(at, vec3<u32>((groups + rows - 1u) / rows, select(rows, 0u, groups == 0u), 1u));
}

fn set_groups(at: u32, groups: vec3<u32>) {
  sizes[at] = groups.x;
  sizes[at + 1u] = groups.y;
  sizes[at + 2u] = groups.z;
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>) {
  let first = group.x * p.band;
  let needed = min(max(u32(order[0]), first) - first, min(p.band, p.tiles - first));
  set_threads(9u * group.x, needed * p.input_threads);
  let products = vec3<u32>((needed + p.product_rows - 1u) / p.product_rows, p.product_y, p.product_z);
  set_groups(9u * group.x + 3u, select(products, vec3<u32>(), needed == 0u));
  set_threads(9u * group.x + 6u, needed * p.output_threads);
}
