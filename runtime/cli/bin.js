#!/usr/bin/env node
import { launch } from "./launch.js";

await launch("kagent", process.argv.slice(2));
