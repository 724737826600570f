// Helpers for kernels that give each thread one index of a 1-D range.
override WG: u32 = 64u;   // threads a workgroup

// A range of more than 65,535 workgroups is dispatched as rows of workgroups.
fn index_1d(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * WG + local;
}
