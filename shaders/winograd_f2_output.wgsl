// Winograd F(2x2, 3x3) for real GPUs, the output. The transform is in lib/winograd_f2.wgsl, the rest in the other.
// use lib/winograd_f2
// use lib/winograd_tiles_output
