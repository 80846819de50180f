const PLACEHOLDERS = ['{{namespace}}', '{{deploymentName}}', '{{containerName}}'] as const;

export const DEFAULT_TEMPLATE = PLACEHOLDERS.join('/');

/** What a deployment name is made of. */
export interface Named {
  readonly namespace: string;
  /** The workload's. */
  readonly deploymentName: string;
  readonly containerName: string;
}

/** True when a template has at least one placeholder: otherwise all containers would have one name. */
export function isTemplate(text: string): boolean {
  return PLACEHOLDERS.some((placeholder) => text.includes(placeholder));
}

/** The deployment name of a container. Anything else in braces stays as it is. */
export function render(template: string, { namespace, deploymentName, containerName }: Named): string {
  return template
    .replaceAll('{{namespace}}', () => namespace)
    .replaceAll('{{deploymentName}}', () => deploymentName)
    .replaceAll('{{containerName}}', () => containerName);
}
