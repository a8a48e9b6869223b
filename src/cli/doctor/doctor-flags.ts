import type { Options } from "yargs";
import { BUILD_FLAGS } from "../flags/build-flags.js";
import type { SshValues } from "../process/process-environment.js";

const { on, platform, tls, tlsverify, tlscacert, tlscert, tlskey, insecure } = BUILD_FLAGS;

export const DOCTOR_FLAGS = {
	...{ on, platform, "allow-emulation": BUILD_FLAGS["allow-emulation"] },
	...{ tls, tlsverify, tlscacert, tlscert, tlskey, insecure },
	format: {
		type: "string",
		choices: ["table", "json"],
		default: "table",
		describe: "Output format",
	},
} as const satisfies Record<string, Options>;

type Flags = typeof DOCTOR_FLAGS;

export type DoctorArguments = SshValues & {
	readonly [Flag in keyof Flags]?: Flags[Flag] extends { readonly array: true }
		? readonly string[]
		: Flags[Flag]["type"] extends "boolean"
			? boolean
			: string;
};
