// Winograd F(4x4, 3x3) for real GPUs, the output. The transform is in lib/winograd_f4.wgsl, the rest in the other.
// use lib/winograd_f4
// use lib/winograd_tiles_output
