import type { Manifest, Tree } from './helm.ts';

export interface Container extends Tree {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

export interface PodSpec extends Tree {
  readonly containers: readonly Container[];
  readonly serviceAccountName?: string;
  readonly volumes?: readonly Tree[];
}

export interface Pod {
  /** Kind and name of what makes the pod. */
  readonly owner: string;
  /** A pod of `helm test`. */
  readonly hook: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** Every pod that the manifests make. */
export function podsOf(manifests: readonly Manifest[]): readonly Pod[] {
  return manifests.flatMap((manifest) => {
    const { kind, metadata } = manifest;
    const spec = manifest['spec'] as Tree | undefined;
    const template = kind === 'Pod' ? manifest : (spec?.['template'] as Manifest | undefined);
    if (template === undefined) return [];
    return [
      {
        owner: `${kind}/${metadata.name}`,
        hook: metadata.annotations?.['helm.sh/hook'] !== undefined,
        labels: template.metadata.labels ?? {},
        annotations: template.metadata.annotations ?? {},
        spec: template['spec'] as PodSpec,
      },
    ];
  });
}

export function containersOf({ spec }: Pod): readonly Container[] {
  return [...((spec['initContainers'] as readonly Container[] | undefined) ?? []), ...spec.containers];
}
