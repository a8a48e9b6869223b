import { boxWithoutFlag, type Command } from "../command.js";
import { SSH_FLAGS } from "../flags/general-flags.js";
import { DOCTOR_FLAGS, type DoctorArguments } from "./doctor-flags.js";

export const DOCTOR: Command = {
	usage: "",
	description: "Check whether a build would work, and if not, why",
	flags: { ...DOCTOR_FLAGS, ...SSH_FLAGS },
	words: [0, 0],
	tooMany: boxWithoutFlag("doctor"),
	run: async (values: DoctorArguments) => {
		const { runDoctor } = await import("./doctor-command.js");
		return runDoctor(values);
	},
};
