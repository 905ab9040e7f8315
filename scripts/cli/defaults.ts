/** Where a command keeps what it is not told to keep elsewhere: under the current directory. */
export const KEYS_DIRECTORY = ".coseflow/keys";
export const DATABASE = ".coseflow/cloud.db";
export const DEVICE_DIRECTORY = ".coseflow/device";
