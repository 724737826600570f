/** Cache Storage as far as the engine uses it: responses by address, as texts. */
export class FakeCaches {
  readonly stored = new Map<string, string>();

  async open(name: string): Promise<Cache> {
    const at = (request: RequestInfo | URL): string => `${name} ${String(request)}`;
    const cache: Pick<Cache, "match" | "put" | "delete"> = {
      match: async (request) => {
        const text = this.stored.get(at(request));
        return text === undefined ? undefined : new Response(text);
      },
      put: async (request, response) => void this.stored.set(at(request), await response.text()),
      delete: async (request) => this.stored.delete(at(request)),
    };
    return cache as Cache;
  }

  has = async (): Promise<boolean> => this.stored.size > 0;
  delete = async (): Promise<boolean> => false;
  keys = async (): Promise<string[]> => [];
  match = async (): Promise<undefined> => undefined;
}
