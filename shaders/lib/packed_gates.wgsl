// Where the parameters of S2AM's three gates lie in their packed tensor [3, 3 C HIDDEN + HIDDEN + C]: of each gate
// W1 [2 C, HIDDEN], b1 [HIDDEN], W2 [HIDDEN, C], b2 [C]. Codes match src/kernels/attention_gates/packing.ts.
struct PackedGate { w1: u32, b1: u32, w2: u32, b2: u32 }

fn packed_gate(gate: u32, c: u32, hidden: u32) -> PackedGate {
  let w1 = gate * (3u * c * hidden + hidden + c);
  let b1 = w1 + 2u * c * hidden;
  let w2 = b1 + hidden;
  return PackedGate(w1, b1, w2, w2 + hidden * c);
}
