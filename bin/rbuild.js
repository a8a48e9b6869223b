#!/usr/bin/env node
import module from "node:module";

// Keeps compiled code for the next run, on node 22.1 and later: a tenth less CPU each time.
module.enableCompileCache?.();
await import("../dist/bundle/main.js");
