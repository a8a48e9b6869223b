import { flagValues, type Instruction } from "./instructions.js";

/** The parts of `RUN --mount=…` that say what is mounted, with nothing filled in. */
interface Mount {
	readonly type: string;
	/** A stage or image; absent: the build context. */
	readonly from: string | undefined;
	readonly source: string;
}

/** As instructions/commands_runmount.go reads them: the last of several values counts. */
export function mountsOf(instruction: Instruction): readonly Mount[] {
	if (instruction.keyword !== "RUN") return [];
	return flagValues(instruction, "mount").map((text) => {
		const fields = new Map<string, string>();
		for (const field of text.split(",")) {
			const [name = "", ...value] = field.split("=");
			fields.set(SAME_AS[name.toLowerCase()] ?? name.toLowerCase(), value.join("="));
		}
		return {
			type: fields.get("type") ?? "bind",
			from: fields.get("from") || undefined,
			source: fields.get("source") ?? "",
		};
	});
}

const SAME_AS: Readonly<Record<string, string>> = { src: "source" };

/** Names and numbers of what an instruction takes files from, other than the build context. */
export function sourceStages(instruction: Instruction): readonly string[] {
	if (instruction.keyword === "COPY")
		return flagValues(instruction, "from").filter((name) => name !== "");
	return mountsOf(instruction).flatMap(({ from }) => from ?? []);
}
