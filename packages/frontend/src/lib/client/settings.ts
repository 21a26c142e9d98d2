/** The defaults, with what is given in their place. */
export function withDefaults<T extends object>(defaults: T, given: Partial<T>): T {
  const settings = { ...defaults }
  for (const name of Object.keys(defaults) as (keyof T)[])
    settings[name] = given[name] ?? defaults[name]
  return settings
}
