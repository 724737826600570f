/** Bounds on time are of the processor's, not of the clock's: a machine that is busy with other things is no fault of the code. */

/** Starts a stopwatch. @returns milliseconds of processor time that this process has taken since */
export function cpuStopwatch(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
