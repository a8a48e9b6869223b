import type { Command } from "../command.js";
import { SSH_FLAGS } from "../flags/general-flags.js";
import { HOSTS_FLAGS, type HostsArguments } from "./hosts-flags.js";

export const HOSTS: Command = {
	usage: "[words..]",
	description: "List the boxes; hosts add, rm, use, inspect and trust",
	synopsis:
		"$0 hosts [ls]\n$0 hosts add NAME ssh://…|tcp://…|unix://…\n$0 hosts rm|use|inspect|trust NAME",
	flags: { ...HOSTS_FLAGS, ...SSH_FLAGS },
	words: [0, Infinity],
	next: async (words, names) => {
		const { nextHostWord } = await import("./next-host-word.js");
		return nextHostWord(words, names);
	},
	run: async (values: HostsArguments) => {
		const { runHosts } = await import("./hosts-command.js");
		return runHosts(values);
	},
};
