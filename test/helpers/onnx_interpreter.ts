/**
 * Runs an ONNX file in float64, after ONNX's own definition of the operators and read by the official schema: so that a
 * file is checked without a runtime, and by nothing that wrote it.
 */
import proto from "onnx-proto";

export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}
type Attributes = ReadonlyMap<string, number | string | readonly number[]>;
type Operator = (inputs: readonly Value[], attributes: Attributes) => Value;

export const readOnnx = (bytes: Uint8Array): proto.onnx.ModelProto => proto.onnx.ModelProto.decode(bytes);

/** int64 comes as a number or as a Long. */
const whole = (value: unknown): number => Number(String(value));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** @returns every value of the graph by name */
export function runOnnx(model: proto.onnx.IModelProto, inputs: Readonly<Record<string, Value>>): Map<string, Value> {
  const values = new Map(Object.entries(inputs));
  for (const tensor of model.graph?.initializer ?? []) values.set(tensor.name ?? "", initializerOf(tensor));
  for (const node of model.graph?.node ?? []) {
    const operator = OPERATORS[node.opType ?? ""];
    if (!operator) throw new Error(`no operator ${node.opType}`);
    const operands = (node.input ?? []).map((name) => {
      const value = values.get(name);
      if (!value) throw new Error(`${node.name}: ${name} has not been computed`);
      return value;
    });
    const result = operator(operands, attributesOf(node));
    const [output = "", ...more] = node.output ?? [];
    if (more.length > 0 || values.has(output)) throw new Error(`${node.name}: an output too many`);
    values.set(output, result);
  }
  return values;
}

function initializerOf({ dims, dataType, rawData }: proto.onnx.ITensorProto): Value {
  const bytes = Uint8Array.from(rawData ?? []).buffer;
  const data = dataType === 7 ? Float64Array.from(new BigInt64Array(bytes), Number) : new Float32Array(bytes);
  const shape = (dims ?? []).map(whole);
  if (data.length !== sizeOf(shape)) throw new Error(`a constant [${shape}] has ${data.length} values`);
  return { shape, data: Float64Array.from(data) };
}

function attributesOf({ attribute }: proto.onnx.INodeProto): Attributes {
  const { FLOAT, INT, INTS, STRING } = proto.onnx.AttributeProto.AttributeType;
  return new Map<string, number | string | readonly number[]>(
    (attribute ?? []).map(({ name, type, f, i, ints, s }) => {
      if (type === FLOAT) return [name ?? "", f ?? 0];
      if (type === INT) return [name ?? "", whole(i)];
      if (type === INTS) return [name ?? "", (ints ?? []).map(whole)];
      if (type === STRING) return [name ?? "", new TextDecoder().decode(s ?? new Uint8Array())];
      throw new Error(`attribute ${name} is of type ${type}`);
    }),
  );
}

const map =
  (f: (value: number, attributes: Attributes) => number): Operator =>
  ([x], attributes) => ({ shape: given(x).shape, data: given(x).data.map((value) => f(value, attributes)) });

function given(value: Value | undefined): Value {
  if (!value) throw new Error("an operand is missing");
  return value;
}

const numbers = (attributes: Attributes, name: string, missing: readonly number[]): readonly number[] => {
  const value = attributes.get(name) ?? missing;
  if (!Array.isArray(value)) throw new Error(`attribute ${name} is no list`);
  return value;
};
const number = (attributes: Attributes, name: string): number => Number(attributes.get(name) ?? Number.NaN);
const at = (data: ArrayLike<number>, i: number): number => data[i] ?? Number.NaN;

/** Shapes of one rank, or a scalar: a length of 1 stretches. */
const broadcast =
  (f: (a: number, b: number) => number): Operator =>
  ([first, second]) => {
    const [a, b] = [given(first), given(second)];
    const rank = Math.max(a.shape.length, b.shape.length);
    const padded = ({ shape }: Value): number[] => [...Array(rank - shape.length).fill(1), ...shape];
    const [sa, sb] = [padded(a), padded(b)];
    const shape = sa.map((length, axis) => Math.max(length, at(sb, axis)));
    const index = (of: readonly number[], place: readonly number[]): number =>
      of.reduce((sum, length, axis) => sum * length + (length === 1 ? 0 : at(place, axis)), 0);
    const data = new Float64Array(sizeOf(shape));
    data.forEach((_, i) => {
      const place = shape.map((length, axis) => Math.floor(i / sizeOf(shape.slice(axis + 1))) % length);
      data[i] = f(at(a.data, index(sa, place)), at(b.data, index(sb, place)));
    });
    return { shape, data };
  };

/**
 * A convolution takes from the places under a window what a transposed one gives to them, so one loop serves both: `near`
 * is the side that the window steps along (the output, or of a transposed convolution the input), `far` the other.
 */
function conv([x, weight, bias]: readonly Value[], attributes: Attributes, transposed: boolean): Value {
  const [n = 0, cIn = 0, h = 0, w = 0] = given(x).shape;
  const [first = 0, second = 0, r = 0, s = 0] = given(weight).shape;
  const cOut = transposed ? second : first;
  const [stride = 1] = numbers(attributes, "strides", [1, 1]);
  const [pad = 0] = numbers(attributes, "pads", [0, 0, 0, 0]);
  if (`${[r, s]}` !== `${numbers(attributes, "kernel_shape", [])}`) throw new Error("kernel_shape is not the weight's");
  const size = (length: number, k: number): number =>
    transposed ? (length - 1) * stride - 2 * pad + k : Math.floor((length + 2 * pad - k) / stride) + 1;
  const [oh, ow] = [size(h, r), size(w, s)];
  const [nearH, nearW, farH, farW] = transposed ? [h, w, oh, ow] : [oh, ow, h, w];
  const [input, taps] = [given(x).data, given(weight).data];
  const data = new Float64Array(n * cOut * oh * ow).map((_, i) =>
    bias ? at(bias.data, Math.floor(i / (oh * ow)) % cOut) : 0,
  );
  const plane = (from: number, to: number, tap: number): void => {
    for (let p = 0; p < r; p++) {
      for (let q = 0; q < s; q++) {
        const factor = at(taps, tap + p * s + q);
        for (let y = 0; y < nearH; y++) {
          const farY = y * stride - pad + p;
          if (farY < 0 || farY >= farH) continue;
          for (let column = 0; column < nearW; column++) {
            const farX = column * stride - pad + q;
            if (farX < 0 || farX >= farW) continue;
            const near = y * nearW + column;
            const far = farY * farW + farX;
            const target = to + (transposed ? far : near);
            data[target] = at(data, target) + factor * at(input, from + (transposed ? near : far));
          }
        }
      }
    }
  };
  for (let b = 0; b < n; b++) {
    for (let o = 0; o < cOut; o++) {
      for (let c = 0; c < cIn; c++) {
        const tap = (transposed ? c * cOut + o : o * cIn + c) * r * s;
        plane((b * cIn + c) * h * w, (b * cOut + o) * oh * ow, tap);
      }
    }
  }
  return { shape: [n, cOut, oh, ow], data };
}

const globalPool =
  (f: (plane: Float64Array) => number): Operator =>
  ([x]) => {
    const { shape, data } = given(x);
    const [n = 0, c = 0, h = 0, w = 0] = shape;
    const planes = Array.from({ length: n * c }, (_, i) => f(data.subarray(i * h * w, (i + 1) * h * w)));
    return { shape: [n, c, 1, 1], data: Float64Array.from(planes) };
  };

/** Gathers each element of a result of `shape` from the place that `from` gives. */
function gather({ shape, data }: Value, result: readonly number[], from: (place: number[]) => number[]): Value {
  const out = new Float64Array(sizeOf(result));
  out.forEach((_, i) => {
    const place = result.map((length, axis) => Math.floor(i / sizeOf(result.slice(axis + 1))) % length);
    out[i] = at(
      data,
      from(place).reduce((sum, p, axis) => sum * at(shape, axis) + p, 0),
    );
  });
  return { shape: result, data: out };
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  Relu: map((v) => Math.max(0, v)),
  LeakyRelu: map((v, attributes) => (v < 0 ? number(attributes, "alpha") * v : v)),
  Elu: map((v) => (v < 0 ? Math.expm1(v) : v)),
  Sigmoid: map((v) => 1 / (1 + Math.exp(-v))),
  Ceil: map(Math.ceil),
  Add: broadcast((a, b) => a + b),
  Sub: broadcast((a, b) => a - b),
  Mul: broadcast((a, b) => a * b),
  Conv: (inputs, attributes) => conv(inputs, attributes, false),
  ConvTranspose: (inputs, attributes) => conv(inputs, attributes, true),
  GlobalAveragePool: globalPool((plane) => plane.reduce((a, b) => a + b, 0) / plane.length),
  GlobalMaxPool: globalPool((plane) => plane.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  AveragePool([x], attributes) {
    const [n = 0, c = 0, h = 0, w = 0] = given(x).shape;
    const [k = 0] = numbers(attributes, "kernel_shape", []);
    const [stride = 1] = numbers(attributes, "strides", [1, 1]);
    const shape = [n, c, Math.floor((h - k) / stride) + 1, Math.floor((w - k) / stride) + 1];
    const corners = Array.from({ length: k * k }, (_, i) =>
      gather(given(x), shape, ([b = 0, d = 0, y = 0, z = 0]) => [
        b,
        d,
        y * stride + Math.floor(i / k),
        z * stride + (i % k),
      ]),
    );
    const sum = (i: number): number => corners.reduce((total, { data }) => total + at(data, i), 0);
    return { shape, data: new Float64Array(sizeOf(shape)).map((_, i) => sum(i) / (k * k)) };
  },
  Pad([x, pads], attributes) {
    if (attributes.get("mode") !== "reflect") throw new Error("only reflection is known here");
    const { shape } = given(x);
    const before = Array.from(given(pads).data.subarray(0, shape.length));
    const after = given(pads).data.subarray(shape.length);
    const padded = shape.map((length, axis) => at(before, axis) + length + at(after, axis));
    const mirror = (i: number, length: number): number => (i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i);
    return gather(given(x), padded, (place) => place.map((p, axis) => mirror(p - at(before, axis), at(shape, axis))));
  },
  Concat(inputs, attributes) {
    const axis = number(attributes, "axis");
    const lengths = inputs.map(({ shape }) => at(shape, axis));
    const shape = given(inputs[0]).shape.map((n, i) => (i === axis ? lengths.reduce((a, b) => a + b, 0) : n));
    const rows = shape.slice(0, axis).reduce((a, b) => a * b, 1);
    const parts = Array.from({ length: rows }, (_, row) =>
      inputs.map(({ data }) => Array.from(data.subarray((row * data.length) / rows, ((row + 1) * data.length) / rows))),
    );
    return { shape, data: Float64Array.from(parts.flat(2)) };
  },
  Slice([x, starts, ends, axes]) {
    const [start = 0, end = 0, axis = 0] = [starts, ends, axes].map((value) => at(given(value).data, 0));
    const shape = given(x).shape.map((length, i) => (i === axis ? end - start : length));
    return gather(given(x), shape, (place) => place.map((p, i) => (i === axis ? p + start : p)));
  },
  Flatten([x], attributes) {
    const { shape, data } = given(x);
    const rows = sizeOf(shape.slice(0, number(attributes, "axis")));
    return { shape: [rows, data.length / rows], data };
  },
  Reshape([x, wanted]) {
    const target = Array.from(given(wanted).data);
    const known = target.reduce((product, length) => (length < 0 ? product : product * length), 1);
    return { shape: target.map((n) => (n < 0 ? given(x).data.length / known : n)), data: given(x).data };
  },
  Gemm([a, b, c], attributes) {
    if (number(attributes, "transB") !== 1) throw new Error("only a transposed B is known here");
    const [m = 0, k = 0] = given(a).shape;
    const [n = 0] = given(b).shape;
    const data = new Float64Array(m * n);
    data.forEach((_, i) => {
      let sum = at(given(c).data, i % n);
      for (let j = 0; j < k; j++)
        sum += at(given(a).data, Math.floor(i / n) * k + j) * at(given(b).data, (i % n) * k + j);
      data[i] = sum;
    });
    return { shape: [m, n], data };
  },
};
