import { normalizePlatform } from "../../engine/platforms.js";

/** Annotations as attributes of BuildKit's image exporter, see BuildKitPlan. */
type AnnotationAttrs = Readonly<Record<string, string>>;

/** What annotations a build for several platforms has, by who writes them. */
export interface PlatformAnnotations {
	/** Of the image of one platform, as attributes for the daemon that builds it. */
	ofImage(platform: string): AnnotationAttrs;
	/** Of its descriptor in the index. */
	ofDescriptor(platform: string): AnnotationAttrs;
	/** Of the index itself. */
	readonly ofIndex: AnnotationAttrs;
	/** Of the descriptor of the index, in a layout. */
	readonly ofIndexDescriptor: AnnotationAttrs;
}

/** BuildKit's own spelling (exporter/containerimage/exptypes/annotations.go). */
const ATTRIBUTE = /^annotation(?:-(?<type>[a-z-]+))?(?:\[(?<platform>[^\]]+)\])?\.(?<key>.*)$/s;

/** A daemon that builds for one platform makes no index, and refuses annotations for one. */
export function platformAnnotations(attrs: AnnotationAttrs): PlatformAnnotations {
	const all = Object.entries(attrs).map(([name, value]) => {
		const { type = "manifest", platform, key = "" } = ATTRIBUTE.exec(name)?.groups ?? {};
		return {
			type,
			platform: platform && normalizePlatform(platform, "--annotation"),
			key,
			value,
		};
	});
	const find = (wanted: string, of: string | undefined, prefix = "") =>
		Object.fromEntries(
			all
				.filter(({ type, platform }) => type === wanted && (!platform || !of || platform === of))
				.map(({ key, value }) => [prefix + key, value]),
		);
	return {
		ofImage: (platform) => find("manifest", platform, "annotation."),
		ofDescriptor: (platform) => find("manifest-descriptor", platform),
		ofIndex: find("index", undefined),
		ofIndexDescriptor: find("index-descriptor", undefined),
	};
}
