/** How many bytes go by between two pieces of news of an image or an output. */
export const PROGRESS_STEP = 1024 * 1024;
