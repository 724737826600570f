// Adds up what the 64 threads of a workgroup hold, in their order, so that the sum is the same in every run. Two barriers
// for the whole sum: cheap even where barriers are dear.
var<workgroup> addends: array<vec2<f32>, 64>;

// @returns the sum, to thread 0; to the others zeros
fn workgroup_sum(addend: vec2<f32>, local: u32) -> vec2<f32> {
  addends[local] = addend;
  workgroupBarrier();
  var sum = vec2<f32>(0.0);
  if (local == 0u) {
    for (var i = 0u; i < 64u; i++) { sum += addends[i]; }
  }
  workgroupBarrier();   // a later call may overwrite
  return sum;
}
