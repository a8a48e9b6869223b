/**
 * The fields of one line of CSV, as docker's flags take them: a field that holds a comma stands in
 * double quotes, and a double quote in it is written twice.
 *
 * @returns undefined when a quote is not closed or something stands behind it
 */
export function csvFields(line: string): readonly string[] | undefined {
	const fields: string[] = [];
	const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
	while (true) {
		const match = field.exec(line);
		if (match === null) return undefined;
		const [, quoted, plain = "", end] = match;
		fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
		if (end === "") return fields;
	}
}
