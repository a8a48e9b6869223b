import { checkWritable } from "../../disk/replacement-file.js";
import { checkLayoutFolder } from "../archive/layout-folder.js";
import { checkCompression } from "../archive/save-compression.js";

/** Where an image is saved, and as what. */
export interface SavePlace {
	/** Absolute. */
	readonly path: string;
	/**
	 * "docker": a tar for `docker load` and `podman load`. "oci": an OCI image layout, as a tar, or as a
	 * folder for a path that does not end as a tar's does.
	 */
	readonly format: "docker" | "oci";
}

export function isLayoutFolder({ path, format }: SavePlace): boolean {
	return format === "oci" && !/\.(?:tar(?:\.(?:gz|zst|zstd))?|tgz|tzst)$/i.test(path);
}

/**
 * To be called before anything is uploaded.
 * @throws DeliveryError when the image could not be written there
 */
export async function checkSavePlace(place: SavePlace): Promise<void> {
	if (isLayoutFolder(place)) return void (await checkLayoutFolder(place.path));
	checkCompression(place.path);
	return checkWritable(place.path);
}
