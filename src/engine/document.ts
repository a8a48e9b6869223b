/** The fields of a part of a JSON document that may not be there; none if it is not an object. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
