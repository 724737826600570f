/** The whole public API, safe in a browser. Node's additions are in `s2am-webgpu/node`. */
/// <reference lib="dom" preserve="true" />
export * from "./errors.js";
export {
  type AdapterDescription,
  describeAdapter,
  type OpenedDevice,
  openDevice as openBrowserDevice,
} from "./gpu/device.js";
export { type CompileOptions, type CompileProgress, compile } from "./graph/compile.js";
export type { PassTiming, Plan, RunOptions, RunResult } from "./graph/plan.js";
export { Runtime, type RuntimeOptions } from "./graph/runtime.js";
export { constant, input, type Shape, type Tensor } from "./graph/tensor.js";
export { type ApplyResult, applyChange } from "./harmonizer/apply_change.js";
export { cubeOf, poorFit } from "./harmonizer/object_transform.js";
export {
  type FrameAnalysis,
  type SequenceOptions,
  type Shot,
  type SolvedSequence,
  type SolvedTransform,
  solveSequence,
} from "./harmonizer/sequence.js";
export {
  DEFAULT_WORKING_SIZE,
  type HarmonizeInput,
  type HarmonizeOptions,
  type HarmonizeProgress,
  type HarmonizeResult,
  Harmonizer,
  harmonize,
  type InputNames,
  type LoadOptions,
  type LoadProgress,
  type ObjectTransform,
  type Region,
  type WeightsInput,
} from "./harmonizer.js";
export type { ColourTransform, TransformRow } from "./image/colour_transform.js";
export { applyLut, type CubeOptions, type Lut, lutOf, parseCube, toCube } from "./image/cube.js";
export type { Residual, TransformWords } from "./image/describe_transform.js";
export { DEFAULT_FIT, FITS, type Fit } from "./image/fit.js";
export type { Image, ImageDataLike } from "./image/image.js";
export type { Mask } from "./image/mask.js";
export { foregroundMse, foregroundPsnr, mse, psnr, ssim } from "./image/metrics.js";
export { type ByteSource, blobSource, bytesSource } from "./io/byte_source.js";
export { parseNpy, serializeNpy } from "./io/npy.js";
export { parseSafetensors, serializeSafetensors } from "./io/safetensors.js";
export type { HostTensor } from "./io/tensor_data.js";
export { readWeights, type WeightsFile } from "./io/weights_file.js";
export { findMatrixUnits, type MatrixUnitsFound, requireMatrixUnits } from "./kernels/matrix_units.js";
export * from "./kernels/ops.js";
export { type Arch, type Blur, DEFAULT_CONFIG, type ModelConfig } from "./model/config.js";
export type { DtypeError } from "./model/dtype_error.js";
export { Network, type NetworkOptions, type NetworkShape } from "./model/network.js";
export { loadModel, type Model, type ModelOptions, parameterShapes } from "./model/weights.js";
export { type TuneOptions, type TuneProgress, type TuneResult, type TuneSummary, tune } from "./tuner/tune.js";
export { forgetTuning, loadTuning, saveTuning, type TuningCacheOptions } from "./tuning/browser_cache.js";
export { useTuning } from "./tuning/device_tuning.js";
export { parseTuning, serializeTuning, type TuningFile, type TuningTable, tableOf } from "./tuning/table.js";
