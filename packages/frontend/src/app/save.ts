import type { Download } from '@/index'

/** Lets the browser keep a file. */
export function save({ name, content }: Download): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser may begin to read it only after this.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
