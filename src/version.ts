/** The engine's version, for what outlives a process and may meet another one; a test holds it equal to package.json's. */
export const ENGINE_VERSION = "0.1.0";
