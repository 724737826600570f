import { Command } from "commander";
import type { CommandContext } from "./app.js";
export function benchCommand(_: CommandContext): Command { return new Command("bench"); }
