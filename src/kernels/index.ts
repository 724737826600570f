/** Every op's suite, for tests and bench: a plain list. */

import { accumulateGradientSuite } from "./accumulate_gradient/cases.js";
import { activationSuite } from "./activation/cases.js";
import { activationBackwardSuite } from "./activation_backward/cases.js";
import { adamSuite } from "./adam/cases.js";
import { attentionGatesSuite } from "./attention_gates/cases.js";
import { attentionGatesBackwardSuite } from "./attention_gates_backward/cases.js";
import { batchNormSuite } from "./batch_norm/cases.js";
import { batchNormBackwardSuite } from "./batch_norm_backward/cases.js";
import { batchNormTrainSuite } from "./batch_norm_train/cases.js";
import { bceLossBackwardSuite, bceLossSuite } from "./bce_loss/cases.js";
import { bilinearUpsampleSuite } from "./bilinear_upsample/cases.js";
import { bilinearUpsampleBackwardSuite } from "./bilinear_upsample_backward/cases.js";
import { blendSuite } from "./blend/cases.js";
import { blendBackwardSuite } from "./blend_backward/cases.js";
import { channelGateSuite } from "./channel_gate/cases.js";
import { channelGateBackwardSuite } from "./channel_gate_backward/cases.js";
import { channelPoolSuite } from "./channel_pool/cases.js";
import { channelPoolBackwardSuite } from "./channel_pool_backward/cases.js";
import { channelSumSuite } from "./channel_sum/cases.js";
import { concatSuite } from "./concat/cases.js";
import { convTranspose2dSuite } from "./conv_transpose2d/cases.js";
import { conv2dSuite } from "./conv2d/cases.js";
import { conv2dBackwardWeightSuite } from "./conv2d_backward_weight/cases.js";
import { conv2dComposeSuite } from "./conv2d_compose/cases.js";
import { cropSuite } from "./crop/cases.js";
import { addSuite, mulSuite } from "./elementwise/cases.js";
import { emaUpdateSuite } from "./ema_update/cases.js";
import { foregroundMseLossBackwardSuite, foregroundMseLossSuite } from "./foreground_mse_loss/cases.js";
import { gaussianBlurSuite } from "./gaussian_blur/cases.js";
import { gaussianBlurBackwardSuite } from "./gaussian_blur_backward/cases.js";
import { globalPoolSuite } from "./global_pool/cases.js";
import { globalPoolBackwardSuite } from "./global_pool_backward/cases.js";
import { gradientStatisticsSuite } from "./gradient_statistics/cases.js";
import { gradientStatisticsPartsSuite } from "./gradient_statistics_parts/cases.js";
import { instanceNormSuite } from "./instance_norm/cases.js";
import { instanceNormBackwardSuite } from "./instance_norm_backward/cases.js";
import { l1LossBackwardSuite, l1LossSuite } from "./l1_loss/cases.js";
import { levelMaskSuite } from "./level_mask/cases.js";
import { linearSuite } from "./linear/cases.js";
import { linearBackwardInputSuite } from "./linear_backward_input/cases.js";
import { linearBackwardWeightSuite } from "./linear_backward_weight/cases.js";
import { lsganLossBackwardSuite, lsganLossSuite } from "./lsgan_loss/cases.js";
import { maskPoolSuite } from "./mask_pool/cases.js";
import { mseLossBackwardSuite, mseLossSuite } from "./mse_loss/cases.js";
import { packSuite } from "./pack/cases.js";
import { partSuite } from "./part/cases.js";
import { reflectPadSuite } from "./reflect_pad/cases.js";
import { reflectPadBackwardSuite } from "./reflect_pad_backward/cases.js";
import { reshapeSuite } from "./reshape/cases.js";
import { s2amComposeSuite } from "./s2am_compose/cases.js";
import { s2amComposeBackwardSuite } from "./s2am_compose_backward/cases.js";
import { s2amComposeBackwardMaskSuite } from "./s2am_compose_backward_mask/cases.js";
import { sliceSuite } from "./slice/cases.js";
import { sliceBackwardSuite } from "./slice_backward/cases.js";
import { stepGateSuite } from "./step_gate/cases.js";
import type { AnySuite } from "./suite.js";
import { tileOrderSuite } from "./tile_order/cases.js";
import { updateRunningSuite } from "./update_running/cases.js";
import { zeroPadSuite } from "./zero_pad/cases.js";

export const suites: readonly AnySuite[] = [
  conv2dSuite,
  conv2dComposeSuite,
  convTranspose2dSuite,
  levelMaskSuite,
  tileOrderSuite,
  linearSuite,
  linearBackwardInputSuite,
  linearBackwardWeightSuite,
  activationSuite,
  attentionGatesSuite,
  attentionGatesBackwardSuite,
  batchNormSuite,
  batchNormTrainSuite,
  batchNormBackwardSuite,
  instanceNormSuite,
  instanceNormBackwardSuite,
  addSuite,
  mulSuite,
  globalPoolSuite,
  globalPoolBackwardSuite,
  channelPoolSuite,
  channelPoolBackwardSuite,
  channelGateSuite,
  channelGateBackwardSuite,
  maskPoolSuite,
  gaussianBlurSuite,
  gaussianBlurBackwardSuite,
  s2amComposeSuite,
  s2amComposeBackwardSuite,
  s2amComposeBackwardMaskSuite,
  blendSuite,
  blendBackwardSuite,
  bilinearUpsampleSuite,
  packSuite,
  partSuite,
  reflectPadSuite,
  cropSuite,
  concatSuite,
  sliceSuite,
  sliceBackwardSuite,
  reshapeSuite,
  conv2dBackwardWeightSuite,
  activationBackwardSuite,
  channelSumSuite,
  bilinearUpsampleBackwardSuite,
  reflectPadBackwardSuite,
  zeroPadSuite,
  mseLossSuite,
  mseLossBackwardSuite,
  l1LossSuite,
  l1LossBackwardSuite,
  bceLossSuite,
  bceLossBackwardSuite,
  foregroundMseLossSuite,
  foregroundMseLossBackwardSuite,
  lsganLossSuite,
  lsganLossBackwardSuite,
  gradientStatisticsSuite,
  gradientStatisticsPartsSuite,
  stepGateSuite,
  adamSuite,
  updateRunningSuite,
  emaUpdateSuite,
  accumulateGradientSuite,
];
