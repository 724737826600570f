// The matrix units, in four functions, so that a test can put plain arithmetic in their place and check the indices around
// them on adapters that have none. A fragment belongs to a subgroup as a whole; none of its elements can be reached except
// through memory. Tiles are f16, sums f32.
const M_FRAGMENT: u32 = 16u;   // specialised: rows of a product, one of the device's configurations
const N_FRAGMENT: u32 = 16u;   // specialised: columns
const K_FRAGMENT: u32 = 16u;   // specialised: terms

alias Left = subgroup_matrix_left<f16, K_FRAGMENT, M_FRAGMENT>;
alias Right = subgroup_matrix_right<f16, N_FRAGMENT, K_FRAGMENT>;
alias Sum = subgroup_matrix_result<f32, N_FRAGMENT, M_FRAGMENT>;

// Fragments of a_tile and b_tile, which lie row by row.
fn load_left(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&a_tile, at, A_STRIDE); }
fn load_right(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&b_tile, at, B_STRIDE); }
fn multiply_add(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn store_sum(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&c_tile, at, sum, N_FRAGMENT); }
