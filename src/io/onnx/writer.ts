/** An ONNX model as bytes. Numbers of fields and of types are those of onnx.proto, which has them for ever. */
import { PbfWriter } from "pbf";
import { UsageError } from "../../errors.js";
import { elementCount } from "../tensor_data.js";
import {
  IR_VERSION,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  OPSET,
} from "./model.js";

const FLOAT = 1;
const INT64 = 7;
/** Protobuf's limit: lengths are signed 32-bit numbers in its readers. */
const MOST_BYTES = 2 ** 31 - 1;
/** More than anything but its values takes, for each node and constant. */
const ENVELOPE = 2048;

/** @throws UsageError, before any values are asked for, where the file would pass the 2 GiB that a protobuf may have */
export function serializeOnnx(model: OnnxModel): Uint8Array {
  const parts = model.nodes.length + model.initializers.length + Object.keys(model.metadata).length + 64;
  const most = model.initializers.reduce((sum, one) => sum + byteLength(one), parts * ENVELOPE);
  if (most > MOST_BYTES) {
    throw new UsageError(
      `ONNX: the weights take ${(most / 2 ** 30).toFixed(1)} GiB, and a protobuf file holds at most 2 GiB: export a narrower network`,
    );
  }
  // As large as it can become, so that it is never copied to a larger one.
  const pbf = new PbfWriter(new Uint8Array(most));
  writeModel(model, pbf);
  return pbf.finish();
}

const byteLength = (one: OnnxInitializer): number =>
  "ints" in one ? 8 * one.ints.length : 4 * elementCount(one.shape);

function writeModel(model: OnnxModel, pbf: PbfWriter): void {
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, model.producer);
  pbf.writeStringField(3, model.producerVersion);
  pbf.writeStringField(6, model.doc);
  pbf.writeMessage(7, writeGraph, model);
  pbf.writeMessage(8, writeOpset, OPSET);
  for (const entry of Object.entries(model.metadata)) pbf.writeMessage(14, writeEntry, entry);
}

function writeOpset(version: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, ""); // the default domain
  pbf.writeVarintField(2, version);
}

function writeEntry([key, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph(model: OnnxModel, pbf: PbfWriter): void {
  for (const node of model.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, model.name);
  for (const one of model.initializers) pbf.writeMessage(5, writeInitializer, one);
  for (const value of model.inputs) pbf.writeMessage(11, writeValue, value);
  for (const value of model.outputs) pbf.writeMessage(12, writeValue, value);
}

function writeNode({ op, name, inputs, outputs, attributes }: OnnxNode, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input);
  for (const output of outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, name);
  pbf.writeStringField(4, op);
  for (const entry of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, entry);
}

function writeAttribute([name, value]: readonly [string, OnnxAttribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if ("float" in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, 1);
  } else if ("int" in value) {
    pbf.writeVarintField(3, value.int);
    pbf.writeVarintField(20, 2);
  } else if ("string" in value) {
    pbf.writeStringField(4, value.string);
    pbf.writeVarintField(20, 3);
  } else {
    for (const one of value.ints) pbf.writeVarintField(8, one);
    pbf.writeVarintField(20, 7);
  }
}

function writeInitializer(one: OnnxInitializer, pbf: PbfWriter): void {
  const [shape, type] = "ints" in one ? [[one.ints.length], INT64] : [one.shape, FLOAT];
  for (const length of shape) pbf.writeVarintField(1, length);
  pbf.writeVarintField(2, type);
  pbf.writeStringField(8, one.name);
  const values = "ints" in one ? BigInt64Array.from(one.ints, BigInt) : one.load();
  if (values.length !== elementCount(shape)) {
    throw new Error(`onnx: ${one.name} [${shape}] was given ${values.length} values`);
  }
  pbf.writeBytesField(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function writeValue({ name, shape, doc }: OnnxValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeTensorType, shape);
  pbf.writeStringField(3, doc);
}

function writeTensorType(shape: OnnxValue["shape"], pbf: PbfWriter): void {
  pbf.writeMessage(1, writeShapedType, shape);
}

function writeShapedType(shape: OnnxValue["shape"], pbf: PbfWriter): void {
  pbf.writeVarintField(1, FLOAT);
  pbf.writeMessage(2, writeShape, shape);
}

function writeShape(shape: OnnxValue["shape"], pbf: PbfWriter): void {
  for (const length of shape) pbf.writeMessage(1, writeDimension, length);
}

function writeDimension(length: number | string, pbf: PbfWriter): void {
  if (typeof length === "number") pbf.writeVarintField(1, length);
  else pbf.writeStringField(2, length);
}
