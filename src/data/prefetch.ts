/** Results asked for a little before they are needed, by someone who mostly goes through them in order. */
export class Prefetch<T> {
  private readonly underWay = new Map<number, Promise<T>>();

  /** @param ahead results under way or waiting beside the one that is asked for */
  constructor(
    readonly length: number,
    private readonly ahead: number,
    private readonly load: (index: number) => Promise<T>,
  ) {}

  get(index: number): Promise<T> {
    const end = Math.min(this.length, index + this.ahead + 1);
    for (const known of this.underWay.keys()) if (known < index || known >= end) this.underWay.delete(known);
    for (let i = index; i < end; i++) if (!this.underWay.has(i)) this.underWay.set(i, this.start(i));
    const wanted = this.underWay.get(index) ?? this.start(index);
    this.underWay.delete(index);
    return wanted;
  }

  private start(index: number): Promise<T> {
    const result = this.load(index);
    result.catch(() => {}); // told to whoever asks for it
    return result;
  }
}
