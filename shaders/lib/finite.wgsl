// By the bits, for WGSL lets a compiler assume that arithmetic never meets a NaN or an infinity.
fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

fn are_finite(values: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(values) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
}
