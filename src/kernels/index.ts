/** Every op's suite, for tests and bench: a plain list. */
import { activationSuite } from "./activation/cases.js";
import { activationBackwardSuite } from "./activation_backward/cases.js";
import { batchNormSuite } from "./batch_norm/cases.js";
import { bilinearUpsampleSuite } from "./bilinear_upsample/cases.js";
import { blendSuite } from "./blend/cases.js";
import { channelGateSuite } from "./channel_gate/cases.js";
import { channelPoolSuite } from "./channel_pool/cases.js";
import { channelSumSuite } from "./channel_sum/cases.js";
import { concatSuite } from "./concat/cases.js";
import { convTranspose2dSuite } from "./conv_transpose2d/cases.js";
import { conv2dSuite } from "./conv2d/cases.js";
import { conv2dBackwardWeightSuite } from "./conv2d_backward_weight/cases.js";
import { cropSuite } from "./crop/cases.js";
import { addSuite, mulSuite } from "./elementwise/cases.js";
import { gaussianBlurSuite } from "./gaussian_blur/cases.js";
import { globalPoolSuite } from "./global_pool/cases.js";
import { linearSuite } from "./linear/cases.js";
import { maskPoolSuite } from "./mask_pool/cases.js";
import { reflectPadSuite } from "./reflect_pad/cases.js";
import { reshapeSuite } from "./reshape/cases.js";
import { s2amComposeSuite } from "./s2am_compose/cases.js";
import { sliceSuite } from "./slice/cases.js";
import type { AnySuite } from "./suite.js";

export const suites: readonly AnySuite[] = [
  conv2dSuite,
  convTranspose2dSuite,
  linearSuite,
  activationSuite,
  batchNormSuite,
  addSuite,
  mulSuite,
  globalPoolSuite,
  channelPoolSuite,
  channelGateSuite,
  maskPoolSuite,
  gaussianBlurSuite,
  s2amComposeSuite,
  blendSuite,
  bilinearUpsampleSuite,
  reflectPadSuite,
  cropSuite,
  concatSuite,
  sliceSuite,
  reshapeSuite,
  conv2dBackwardWeightSuite,
  activationBackwardSuite,
  channelSumSuite,
];
