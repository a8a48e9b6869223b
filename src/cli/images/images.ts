import { boxWithoutFlag, type Command } from "../command.js";
import { SSH_FLAGS } from "../flags/general-flags.js";
import { IMAGES_FLAGS } from "./image-flags.js";
import type { ImagesArguments } from "./images-command.js";

export const IMAGES: Command = {
	usage: "",
	description: "List the images of the box",
	flags: { ...IMAGES_FLAGS, ...SSH_FLAGS },
	words: [0, 0],
	tooMany: boxWithoutFlag("images"),
	run: async (values: ImagesArguments) => {
		const { runImages } = await import("./images-command.js");
		return runImages(values);
	},
};
