// The pixels of each set (an image, or the whole batch) cut into slices, for threads that walk one slice at one channel:
// sums over pixels add up in a fixed order, what belongs to a channel is loaded once, and nothing divides inside a loop.
struct PixelSlice {
  c: u32,        // channel, in units of a thread's lanes
  index: u32,    // of the slice among those of all sets
  set_index: u32,
  begin: u32,    // its pixels, counted from the first set's first
  end: u32,
}

fn pixel_slice(i: u32, channels: u32, set_pixels: u32, slices: u32, slice_pixels: u32) -> PixelSlice {
  let index = i / channels;
  let set_index = index / slices;
  let begin = index % slices * slice_pixels;
  let end = min(begin + slice_pixels, set_pixels);
  return PixelSlice(i % channels, index, set_index, set_index * set_pixels + begin, set_index * set_pixels + end);
}
