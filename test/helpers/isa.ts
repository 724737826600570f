/** What the tests of bench:isa share: recorded output of a compiler, rows, and whether there is a compiler here. */
import { execFileSync } from "node:child_process";
import type { KernelFigures } from "../../bench/isa/figures.js";
import type { IsaRecord } from "../../bench/isa/record.js";
import { findDriver } from "../../bench/isa/toolchain.js";

/** navi31, a loop of two multiply-adds in a loop of one more, shortened from a real listing. */
export const RDNA_LISTING = `BB0:
	v_mbcnt_lo_u32_b32 v1, -1, 0                                ; d71f0001 000100c1
	s_delay_alu instid0(VALU_DEP_1)                             ; bf870001
	s_nop 0                                                     ; bf800000
	(then repeated 8 times)
BB1:
	v_fmac_f32_e32 v9, v1, v2                                   ; 56120501
	s_cbranch_scc0 BB9                                          ; bfa1000a
BB2:
	s_waitcnt lgkmcnt(0)                                        ; bf89fc07
	ds_load_b128 v[4:7], v1 offset:2048                         ; dbfc0800 04000001
	ds_load_2addr_b32 v[12:13], v1 offset1:64                   ; d8dc4000 0c000001
	buffer_load_b128 v[16:19], v2, s[4:7], 0 offen              ; e05c0000 80411002
	v_fmac_f32_e32 v8, v4, v5                                   ; 56100b04
	v_dual_fmac_f32 v10, v4, v6 :: v_dual_mov_b32 v11, v12      ; c8100d04 0a0a010c
	v_mul_lo_u32 v1, v1, s9                                     ; d72c0001 00001301
	v_mov_b32_e32 v20, 0                                        ; 7e280280
	(then repeated 3 times)
	s_add_i32 s8, s8, 1                                         ; 81088108
	s_cbranch_scc1 BB2                                          ; bfa2fff1
BB3:
	s_branch BB1                                                ; bfa0fff1
BB9:
	s_endpgm                                                    ; bfb00000
`;

/** vega10: the two ways to divide, of which one is of integers; no loop. */
export const GCN_LISTING = `BB0:
	v_cvt_f32_u32_e32 v5, s17                                   ; 7e0a0c11
	v_rcp_iflag_f32_e32 v5, v5                                  ; 7e0a4705
	v_mul_f32_e32 v5, s1, v5                                    ; 0a0a0a01
	v_cvt_u32_f32_e32 v5, v5                                    ; 7e0a0f05
	v_mul_hi_u32 v6, v5, s4                                     ; d2860006 00000905
	v_cvt_f32_u32_e32 v7, s18                                   ; 7e0e0c12
	v_rcp_f32_e32 v7, v7                                        ; 7e0e4507
	v_mul_f32_e32 v8, v9, v7                                    ; 0a100f09
	v_mad_u32_u24 v2, v1, 3, v0                                 ; d1c30002 04010701
	v_pk_fma_f16 v3, v4, v5, v3                                 ; d38e4003 1c0e0b04
	v_fma_mix_f32 v3, v4, v5, v3                                ; d3a00003 040e0b04
	buffer_store_dwordx4 v[4:7], v2, s[4:7], 0 offen            ; e07c1000 80010402
	global_load_dword v1, v[2:3], off                           ; dc508000 017f0002
	s_endpgm                                                    ; bf810000
`;

const STATISTICS = (spilled: number) => `
Compute Shader:
*** SHADER STATS ***
Driver pipeline hash: 10389406282716827066
SGPRs: 128
VGPRs: 156
Spilled SGPRs: 0
Spilled VGPRs: ${spilled}
Code size: 4996
LDS size: 8192
Scratch size: 16
Subgroups per SIMD: 8
Instructions: 1094
********************

`;

/** As a process prints it: two kernels, and words of the driver's around them. */
export const OUTPUT = `ac_compute_device_uuid's output is based on invalid pci bus info.
##BEGIN 0
Compute Shader
disasm:
${RDNA_LISTING}

${STATISTICS(0)}
##END 0
radv: something else
##BEGIN 1
Compute Shader
disasm:
${GCN_LISTING}

${STATISTICS(2)}
##END 1
##BEGIN 2
`;

const LOOP: KernelFigures["loop"] = {
  whole: 0,
  instructions: 740,
  multiplyAdds: 512,
  multiplyAddInstructions: 512,
  vector: 657,
  lds: 36,
  ldsBytes: 576,
  memory: 4,
  memoryBytes: 64,
  scalar: 43,
  divisions: 0,
  multiplications: 0,
  transcendental: 0,
  matrix: 0,
};

export const figures = (
  changed: Partial<Omit<KernelFigures, "loop">> = {},
  loop: Partial<KernelFigures["loop"]> = {},
): KernelFigures => ({
  shader: "matmul_tiled",
  constants: "TILE_M=64 TILE_N=64",
  uses: 1,
  workgroups: 576,
  vgprs: 156,
  sgprs: 128,
  spilledVgprs: 0,
  spilledSgprs: 0,
  scratch: 0,
  lds: 8192,
  waves: 8,
  codeBytes: 4996,
  lanes: 64,
  ...changed,
  loop: { ...LOOP, ...loop },
});

export const record = (kernels: readonly KernelFigures[], family = "navi31"): IsaRecord => ({
  command: "npm run bench:isa",
  date: "2026-01-01T00:00:00.000Z",
  versions: { driver: "radv: Mesa 25.0.7" },
  workload: {
    arch: "s2ad",
    width: 64,
    levels: 8,
    size: 256,
    batch: 1,
    dtype: "f32",
    train: false,
    matrixUnits: false,
    weights: null,
  },
  families: [{ family, card: "Radeon RX 7900", kernels }],
});

/** Null where a compiler for cards can be had, else why not. */
export function whyNoCompiler(): string | null {
  try {
    findDriver();
    execFileSync(process.env.CC || "gcc", ["-E", "-include", "vulkan/vulkan.h", "-x", "c", "/dev/null"], {
      stdio: "ignore",
      maxBuffer: 2 ** 26,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
