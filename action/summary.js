/**
 * The job's summary of a build, in Markdown.
 *
 * @param metadata what rbuild's --metadata-file holds (BuildReport in src/events.ts)
 * @param {string} digest empty where nothing was pushed
 */
export function summary(metadata, digest) {
	const { imageId, tags, platform, target, engine, upload, wire, phases } = metadata;
	const rows = [
		["Image", imageId && code(imageId)],
		["Tags", tags.map(code).join("<br>")],
		["Digest", digest && code(digest)],
		["Platform", platform],
		["Built on", `${code(target)}, ${engine.product} ${engine.version}`],
		["Context sent", upload && `${size(upload.sentBytes)} (${upload.transfer})`],
		["There already", upload && size(upload.alreadyThere.bytes)],
		["On the wire", `${size(wire.sent)} sent, ${size(wire.received)} received`],
		[
			"Time",
			`${(phases.total / 1000).toFixed(1)} s, of which ${(phases.build / 1000).toFixed(1)} s building`,
		],
	];
	const lines = rows.filter(([, value]) => value).map(([name, value]) => `| ${name} | ${value} |`);
	return ["### rbuild", "", "| | |", "|---|---|", ...lines, "", ""].join("\n");
}

/** A tag or a target holds none of Markdown's characters but these. */
function code(text) {
	return `\`${text.replaceAll("|", "\\|")}\``;
}

function size(bytes) {
	if (bytes < 1000) return `${bytes} B`;
	return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
