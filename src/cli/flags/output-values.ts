import type { OutputOption, SaveOption } from "../../build/plan/options.js";
import { UsageError } from "../../errors.js";
import { csvFields } from "./csv-fields.js";

/**
 * The value of --output, as docker buildx reads it (util/buildflags/export.go): a directory, "-" for a
 * tar on the standard output, or `type=…,dest=…,…`. Unlike there, a name in .tar alone is a tar, too.
 *
 * @throws UsageError
 */
export function parseOutput(text: string): OutputOption {
	const fields = csvFields(text);
	if (fields === undefined) {
		throw new UsageError(`--output ${text}: a quote is missing or in the wrong place`, {
			hint: `put a whole part in quotes: --output 'type=image,"name=a,b"'`,
		});
	}
	if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
		return { type: text === "-" || text.endsWith(".tar") ? "tar" : "local", dest: text };
	}
	const { type, dest, ...attrs } = Object.fromEntries(fields.map((field) => pair(field, text)));
	if (type === undefined || type === "") {
		throw new UsageError(`--output ${text} has no type`, {
			hint: "write it as type=local,dest=DIR or type=tar,dest=FILE, or name a directory alone",
		});
	}
	return { type, attrs, ...(dest === undefined ? {} : { dest }) };
}

/**
 * The value of --save: a file, "-", or `type=docker|oci,dest=…`. What else could be wrong with it is found
 * out with all the other options.
 *
 * @throws UsageError
 */
export function parseSave(text: string): string | SaveOption {
	if (!text.startsWith("type=")) return text;
	const fields = Object.fromEntries((csvFields(text) ?? []).map((field) => pair(field, text)));
	const { type = "", dest = "", ...others } = fields;
	const isKnown = (type === "docker" || type === "oci") && dest !== "";
	if (isKnown && Object.keys(others).length === 0) return { type, dest };
	throw new UsageError(`--save ${text} makes no sense`, {
		hint: "write it as --save FILE.tar, or --save type=oci,dest=FILE.tar or dest=FOLDER",
	});
}

function pair(field: string, text: string): [string, string] {
	const equals = field.indexOf("=");
	if (equals < 0) {
		throw new UsageError(`${text}: "${field}" has no value`, {
			hint: "write it as NAME=VALUE, such as dest=out",
		});
	}
	return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
}
