const HUES = [12, 48, 95, 150, 185, 215, 255, 290, 330]

/** The same colour for the same id, everywhere and always. */
function hueOf(id: string): number {
  let sum = 0
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  return HUES[sum % HUES.length] ?? 0
}

function initialOf(name: string): string {
  return [...name.trim()][0]?.toLocaleUpperCase() ?? '?'
}

/** A circle with an initial; the name always stands beside it, so it is only decoration. */
export function Avatar({
  id,
  name,
  square = false,
  picture,
  className = 'size-9',
}: {
  id: string
  name: string
  square?: boolean
  /** Where a picture is, instead of the initial. */
  picture?: string | undefined
  className?: string
}) {
  const hue = hueOf(id)
  const shape = square ? 'rounded-xl' : 'rounded-full'
  if (picture !== undefined) {
    return (
      <img
        src={picture}
        alt=""
        width={40}
        height={40}
        className={`shrink-0 select-none bg-sunken object-cover ${shape} ${className}`}
      />
    )
  }
  return (
    <span
      aria-hidden="true"
      className={`grid shrink-0 select-none place-items-center font-semibold text-sm ${shape} ${className}`}
      style={{
        background: `light-dark(oklch(0.91 0.05 ${hue}), oklch(0.36 0.06 ${hue}))`,
        color: `light-dark(oklch(0.38 0.09 ${hue}), oklch(0.92 0.05 ${hue}))`,
      }}
    >
      {initialOf(name)}
    </span>
  )
}
