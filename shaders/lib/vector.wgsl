// What a thread handles at once along the channels: one element, or four.
alias T = f32;            // specialised
