import type { OutputOption, SaveOption } from "../../build/plan/options.js";
import { UsageError } from "../../errors.js";
import { unsupportedValue } from "../../unsupported-value.js";
import { csvFields } from "./csv-fields.js";

/**
 * The value of --output, as docker buildx reads it (util/buildflags/export.go): a directory, "-" for a
 * tar on the standard output, or `type=…,dest=…,…`. Unlike there, a name in .tar alone is a tar, too.
 *
 * @throws UsageError
 */
export function parseOutput(text: string): OutputOption {
	const fields = fieldsOf(text, "--output");
	if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
		return { type: text === "-" || text.endsWith(".tar") ? "tar" : "local", dest: text };
	}
	const { type, dest, ...attrs } = Object.fromEntries(
		fields.map((field) => pair(field, `--output ${text}`)),
	);
	if (type === undefined || type === "") {
		throw new UsageError(`--output ${text} has no type`, {
			hint: "write it as type=local,dest=DIR or type=tar,dest=FILE, or name a directory alone",
		});
	}
	return { type, attrs, ...(dest === undefined ? {} : { dest }) };
}

const SAVE_TYPES = ["docker", "oci"] as const satisfies SaveOption["type"][];

/**
 * The value of --save: a file, "-", or `type=docker|oci,dest=…`. What else could be wrong with it is found
 * out with all the other options.
 *
 * @throws UsageError
 */
export function parseSave(text: string): string | SaveOption {
	if (!text.startsWith("type=")) return text;
	const fields = fieldsOf(text, "--save").map((field) => pair(field, `--save ${text}`));
	const { type: named = "", dest = "", ...others } = Object.fromEntries(fields);
	const type = SAVE_TYPES.find((one) => one === named);
	if (type === undefined) throw unsupportedValue("--save type=", named, SAVE_TYPES);
	const [unknown] = Object.keys(others);
	if (dest !== "" && unknown === undefined) return { type, dest };
	const problem = unknown === undefined ? "has no dest" : `does not support "${unknown}"`;
	throw new UsageError(`--save type=${type} ${problem}`, {
		hint: "write it as --save FILE.tar, or --save type=oci,dest=FILE.tar or dest=FOLDER",
	});
}

function fieldsOf(text: string, flag: string): readonly string[] {
	const fields = csvFields(text);
	if (fields !== undefined) return fields;
	throw new UsageError(`${flag} ${text} has an unclosed or misplaced quote`, {
		hint: `quote the whole field: ${flag} 'type=docker,"dest=a,b.tar"'`,
	});
}

/** @param what the flag and its value */
function pair(field: string, what: string): [string, string] {
	const equals = field.indexOf("=");
	if (equals < 0) {
		throw new UsageError(`${what}: "${field}" has no value`, {
			hint: "write it as NAME=VALUE, such as dest=out",
		});
	}
	return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
}
