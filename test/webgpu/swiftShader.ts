/** Finds the software GPU that ships with Chromium. */
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { chromium } from "playwright-core";

const driver = "vk_swiftshader_icd.json";

/**
 * The environment in which Vulkan finds SwiftShader and nothing else. Chromium's folder holds a
 * Vulkan loader too, for systems that have none.
 *
 * @throws when there is no Chromium
 */
export function swiftShaderEnvironment(): NodeJS.ProcessEnv {
  const browsers = [process.env["CHROMIUM_PATH"], chromium.executablePath()];
  const folders = [
    ...browsers.flatMap((path) => (path && existsSync(path) ? [dirname(realpathSync(path))] : [])),
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/usr/lib64/chromium-browser",
  ];
  const folder = folders.find((candidate) => existsSync(join(candidate, driver)));
  if (folder === undefined) {
    throw new Error(
      `No ${driver} in ${folders.join(", ")}: install Chromium, or set CHROMIUM_PATH to its path.`,
    );
  }
  const libraries = [process.env["LD_LIBRARY_PATH"], folder].filter(Boolean).join(delimiter);
  return { VK_ICD_FILENAMES: join(folder, driver), LD_LIBRARY_PATH: libraries };
}
