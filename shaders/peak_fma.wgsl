// The bench's yardstick of arithmetic: multiply-adds that touch registers alone. Each thread runs eight independent
// recurrences a * m + c and stores their sum, so that nothing can be left out; m and c are read from memory, so that
// nothing can be computed beforehand; the chains start apart, so that no two are the same. Eight variables rather than an
// array of eight: some compilers keep an array in memory.
alias S = f32;                                               // specialised
alias T = vec4<f32>;                                         // specialised: S, or a vector of it
const FUSED: u32 = 1u;                                       // specialised: whether to ask for fma() by name
const REPEATS: u32 = 8u;                                     // specialised: steps an iteration of the loop
// use lib/index
override LOOPS: u32 = 64u;                                   // iterations of the loop

@group(0) @binding(0) var<storage, read> factors: array<T>;       // m, c, first value, from one chain to the next, from one thread to the next
@group(0) @binding(1) var<storage, read_write> sums: array<T>;    // [threads]

// A device without the fused instruction takes long over fma(); one with it may or may not find it in a product and a sum.
fn next(a: T, m: T, c: T) -> T {
  if (FUSED == 1u) { return fma(a, m, c); }
  return a * m + c;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let m = factors[0];
  let c = factors[1];
  let apart = factors[3];
  // Threads start apart in 256 ways, which f16 can tell apart too.
  var a = factors[2] + factors[4] * T(S(i % 256u));
  var b = a + apart;
  var d = b + apart;
  var e = d + apart;
  var f = e + apart;
  var g = f + apart;
  var h = g + apart;
  var j = h + apart;
  for (var loop_index = 0u; loop_index < LOOPS; loop_index++) {
    for (var repeat = 0u; repeat < REPEATS; repeat++) { // @unroll
      a = next(a, m, c);
      b = next(b, m, c);
      d = next(d, m, c);
      e = next(e, m, c);
      f = next(f, m, c);
      g = next(g, m, c);
      h = next(h, m, c);
      j = next(j, m, c);
    }
  }
  sums[i] = a + b + d + e + f + g + h + j;
}
