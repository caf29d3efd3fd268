export function installDependencies(): Promise<void>;
export function build(): Promise<void>;
export function packageExtension(target?: string): Promise<string>;
